"""How every figure is computed: the texts of docs/method, within the app, since nothing is asked of another host."""

from __future__ import annotations

from typing import Final

import streamlit as st

from ui import carry, method

TITLE: Final = "How it is computed"


def page() -> None:
    """The page as `st.Page` takes it; it needs no ledger."""
    carry.arrive(TITLE)
    st.title(TITLE, anchor=False)
    st.caption("What stands behind every figure, the limits of each method, and where it comes from.")
    texts = method.texts()
    names = list(texts)
    asked = st.query_params.get(method.ABOUT, "")
    at = names.index(asked) if asked in names else 0
    # Not bound to the address: there it would stand by its title, which links cannot know.
    about = st.selectbox("About", names, at, format_func=lambda name: texts[name][0].title) or names[at]
    if about != names[at]:
        st.query_params[method.ABOUT] = about
        st.rerun()
    for number, section in enumerate(texts[about]):
        (st.subheader if number else st.header)(section.title, anchor=section.anchor)
        st.markdown(section.body)
    carry.keep()


PAGE: Final = page
