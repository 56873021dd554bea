"""python launch.py [PATH] [--config configs/x.yaml] …: see `python launch.py --help`."""

from fastlabel_gradio.app import main

if __name__ == "__main__":
    main()
