"""python launch.py [PATH] [--config configs/x.yaml] …: see `python launch.py --help`."""

from fastlabel_gradio.command_line import main

if __name__ == "__main__":
    main()
