"""The page: Gradio around views in plain JavaScript modules (`web/`)."""
