"""A Python code directory to start from: every hook explained and commented out."""

from __future__ import annotations

CUSTOM = '''\
"""Hooks of this model. Uncomment what you need; the runner calls whatever is defined here.

A model of scikit-learn, XGBoost, LightGBM, CatBoost, PyTorch, Keras or ONNX beside this file is loaded and scored
without any hook.
"""

# import io
# import pathlib
#
# import joblib
# import pandas as pd
# from custom_model_runner import CustomHTTPError, RuntimeParameters


# def init(code_dir):
#     """Run once at the start, before the model is loaded."""


# def read_input_data(input_binary_data):
#     """Turn the bytes of a request or a file into a DataFrame; else they are read by their format, such as CSV."""
#     return pd.read_csv(io.BytesIO(input_binary_data))


# def load_model(code_dir):
#     """Return the model; needed for several artifacts, or for one that the runner cannot open."""
#     return joblib.load(pathlib.Path(code_dir) / "model.joblib")


# def transform(data, model):
#     """Prepare the rows for the model; return a DataFrame."""
#     return data.fillna(0)


# def score(data, model, **kwargs):
#     """Return a DataFrame with one row per row of data.
#
#     Regression: one column, 'Predictions'. Classification: one column of probabilities per class label;
#     kwargs holds 'positive_class_label' and 'negative_class_label', or 'class_labels'.
#     Further columns are returned to the caller as extra model output.
#     """
#     return pd.DataFrame({"Predictions": model.predict(data)})


# def post_process(predictions, model):
#     """Change the predictions; return a DataFrame of the same shape."""
#     return predictions


# def score_unstructured(model, data, query, **kwargs):
#     """Answer text with text and bytes with bytes; for --target-type unstructured."""
#     return data.upper(), {"mimetype": "text/plain", "charset": "utf-8"}


# def chat(params, model, **kwargs):
#     """Answer the parameters of an OpenAI chat completion with a ChatCompletion, or yield ChatCompletionChunks.
#
#     Objects of the package openai will do, and dicts of the same form; kwargs holds 'headers'.
#     """
#     message = {"role": "assistant", "content": model.reply(params["messages"])}
#     choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
#     return {"id": "1", "object": "chat.completion", "created": 0, "model": "mine", "choices": choices}


# def get_supported_llm_models(model):
#     """List the models that those who chat may name."""
#     return [{"id": "mine", "object": "model", "created": 0, "owned_by": "me"}]
'''

README = """\
# {name}

Created with `drum new model --language python --code-dir {name}` on {date}.

1. Put a model artifact here: one of scikit-learn (`.pkl`, `.joblib`, `.skops`), XGBoost (`.json`, `.ubj`), LightGBM
   (`.txt`), CatBoost (`.cbm`), PyTorch (`.pth`, `.pt2`), Keras (`.keras`, `.h5`) or ONNX (`.onnx`); anything else
   with a `load_model` hook.
2. Uncomment in `custom.py` the hooks that the model needs; without any, the model is scored as it is.
3. Try it:

       drum score --code-dir {name} --input data.csv
       drum server --code-dir {name} --address 127.0.0.1:8080
       curl --data-binary @data.csv --header 'Content-Type: text/csv' http://127.0.0.1:8080/predict/

A file `model-metadata.yaml` with `name`, `type: inference` and `targetType` saves you the options on each call.
"""

FILES = {"custom.py": CUSTOM, "README.md": README}
