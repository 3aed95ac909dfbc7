"""What Anthropic's refusals mean to the person who connects an organization."""

from __future__ import annotations

from typing import Final

from connectors.probing import Refusal
from connectors.vendor_api import refuse_key

_ADMIN_KEYS: Final = "https://platform.claude.com/settings/admin-keys"
_NEW_KEY: Final = (
    f"Create an Admin API key at {_ADMIN_KEYS}, or an API key with the scope read:analytics, and enter that."
)
_ROTATE: Final = f"{_NEW_KEY} Then: spendproof connections rotate NAME."
_STATUS_PAGE: Final = "See https://status.claude.com, and sync again later."

REFUSALS: Final = (
    Refusal((401, 403), r"expired", "The key has expired.", _ROTATE),
    Refusal((401, 403), r"revoked|deleted|inactive|archived", "The key is no longer active.", _ROTATE),
    Refusal(
        (401,),
        r"required|missing|no (api )?key|credentials",
        "The request reached Anthropic without a key.",
        "Something on the way removes the Authorization header: check the proxy.",
    ),
    Refusal(
        (401, 403),
        r"ip (address )?.*(allow|permit)|allowlist|not allowed from",
        "Anthropic does not take requests from this machine's address.",
        "Add the address to the organization's IP allowlist, or run SpendProof from one that is on it.",
    ),
    Refusal((401,), "", "Anthropic does not know this key.", f"It was mistyped, cut off or revoked. {_NEW_KEY}"),
    Refusal(
        (403,),
        r"scope|read:analytics|admin",
        "The key may not read the organization's usage and cost (scope read:analytics).",
        _NEW_KEY,
    ),
    Refusal(
        (403,),
        r"disabled|suspended",
        "Anthropic has disabled this organization.",
        "Ask its owner, or Anthropic's support.",
    ),
    Refusal(
        (403,),
        r"region|country|territory",
        "Anthropic does not serve the country this machine's address is in.",
        "Run SpendProof from a supported country, without a VPN that leads elsewhere.",
    ),
    Refusal((403,), "", "Anthropic refuses this key the organization's usage and cost.", _NEW_KEY),
    Refusal(
        (402,),
        "",
        "Anthropic says that there is a problem with the organization's payment.",
        "Settle it in the Console under Billing.",
    ),
    Refusal(
        (404,),
        "",
        "Anthropic offers this organization no usage and cost API.",
        "It belongs to an organization, not to a single account: set one up in the Console. Unset ANTHROPIC_BASE_URL "
        "if it leads to a gateway.",
    ),
    Refusal(
        (400,),
        r"starting_at|ending_at|range",
        "Anthropic does not offer the days that were asked for.",
        "It shows 365 days, from 2026-01-01 on: check this machine's clock.",
    ),
    Refusal(
        (400,),
        r"group_by",
        "Anthropic does not offer this organization the grouping by model, workspace and tier.",
        "Export the cost in the Console instead, and import the file.",
    ),
    Refusal(
        (400,),
        r"beta",
        "Anthropic no longer takes this version of its usage and cost API.",
        "Update SpendProof (make dev).",
    ),
    Refusal((407,), "", "The proxy on the way to Anthropic asks for a password.", "Set it in HTTPS_PROXY."),
    Refusal((529,), "", "Anthropic is overloaded.", _STATUS_PAGE),
    Refusal((500, 502, 503, 504), "", "Anthropic failed with status {status}.", _STATUS_PAGE),
)

_OTHER_KEYS: Final = (
    ("sk-ant-oat", "This is a login token of Claude Code, not an API key."),
    ("sk-ant-sid", "This is a browser's session key, not an API key."),
    ("sk-proj-", "This is a key of OpenAI, not of Anthropic."),
    ("sk-admin-", "This is a key of OpenAI, not of Anthropic."),
)


def refuse_other_keys(key: str) -> None:
    """Refuse what can be told to be no Anthropic key by its shape alone.

    Raises:
        SourceError: it is a key for something else, or was copied with something around it.
    """
    refuse_key(key, _OTHER_KEYS, _NEW_KEY)
