"""The app: `streamlit run app.py`, or any ASGI server on `app:app`. It must hold the literal call of `st.App`."""

import streamlit as st

from ui.routes import MAIN, MIDDLEWARE, ROUTES, warm_up

app = st.App(MAIN, routes=ROUTES, middleware=MIDDLEWARE, lifespan=warm_up)
