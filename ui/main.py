"""What Streamlit runs for every view: who is looking, and which page."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from accounts.signin import SESSION_HOURS, Protection, may_enter
from ui import pages, running, side, tour
from ui.gate import SIGN_OUT

_STATIC = Path(__file__).with_name("static")


def _main() -> None:
    st.set_page_config("SpendProof", str(_STATIC / "icon.png"), "wide")
    st.html(_STATIC / "style.css")
    st.logo(_STATIC / "logo.svg", size="medium", icon_image=_STATIC / "icon.svg")
    served = running.current()
    if served.protection is Protection.OIDC and not _entered(served.people):
        return
    page = st.navigation(pages.navigation(), position="sidebar", expanded=True)
    path = page.url_path or pages.present()[0].path
    with st.sidebar:
        side.draw(path)
        st.caption(f"Workspace {served.workspace}")
        if served.protection is Protection.PASSWORD:
            st.html(f'<a href="{SIGN_OUT}" target="_self" style="color: inherit">Sign out</a>')
        elif served.protection is Protection.OIDC:
            st.button("Sign out", on_click=st.logout)
    tour.draw(path)
    page.run()


def _entered(people: tuple[str, ...]) -> bool:
    """Whether whoever looks has signed in by the identity provider, recently, and is on the list."""
    user = st.user.to_dict()
    if st.user.is_logged_in and may_enter(user, people):
        # Streamlit keeps its cookie for thirty days and never looks at the token's age.
        since = user.get("iat")
        if isinstance(since, int) and time.time() - since < SESSION_HOURS * 3600:
            return True
        st.title("SpendProof", anchor=False)
        st.markdown("Your session has ended. Sign in again.")
    elif st.user.is_logged_in:
        st.title("SpendProof", anchor=False)
        st.error("Your account is not on the list of people who may enter. Ask whoever runs this server to add it.")
        st.button("Sign out", on_click=st.logout)
        return False
    else:
        st.title("SpendProof", anchor=False)
        st.markdown("Sign in to see this workspace's spend.")
    st.button("Sign in", on_click=st.login, type="primary")
    return False


_main()
