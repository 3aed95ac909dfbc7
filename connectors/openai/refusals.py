"""What OpenAI's refusals mean to the person who connects an organization."""

from __future__ import annotations

from typing import Final

from connectors.probing import Refusal
from connectors.vendor_api import refuse_key

_ADMIN_KEYS: Final = "https://platform.openai.com/settings/organization/admin-keys"
_NEW_KEY: Final = f"Create an admin key with read access to usage at {_ADMIN_KEYS} and enter that."
_STATUS_PAGE: Final = "See https://status.openai.com, and sync again later."

REFUSALS: Final = (
    Refusal(
        (401, 403),
        r"ip.?not.?authorized|ip address",
        "OpenAI does not take requests from this machine's address.",
        "Add the address to the organization's IP allowlist, or run SpendProof from one that is on it.",
    ),
    Refusal(
        (403,),
        r"country|region|territory",
        "OpenAI does not serve the country this machine's address is in.",
        "Run SpendProof from a supported country, without a VPN that leads elsewhere.",
    ),
    Refusal(
        (401,),
        r"expired",
        "The key has expired.",
        f"{_NEW_KEY} Then: spendproof connections rotate NAME.",
    ),
    Refusal(
        (401, 403),
        r"deactivated|suspended|disabled",
        "OpenAI has deactivated the account that this key belongs to.",
        "Ask the organization's owner, or OpenAI's support.",
    ),
    Refusal(
        (401,),
        r"member of an organization",
        "The key's owner is no longer a member of the organization.",
        f"Ask an owner of the organization. {_NEW_KEY}",
    ),
    Refusal(
        (401,),
        r"organization header|mismatched.?organization|match organization",
        "The key belongs to another organization than the one that was asked for.",
        "Unset OPENAI_ORG_ID in this process's environment, or use a key of that organization.",
    ),
    Refusal(
        (401, 403),
        r"scope|insufficient permissions|api\.usage",
        "The key may not read usage and costs (scope api.usage.read).",
        f"Give the key that permission, or: {_NEW_KEY}",
    ),
    Refusal(
        (401,),
        r"revoked|deleted",
        "The key was revoked.",
        f"{_NEW_KEY} Then: spendproof connections rotate NAME.",
    ),
    Refusal(
        (401,),
        r"didn.t provide|no api key|missing",
        "The request reached OpenAI without a key.",
        "Something on the way removes the Authorization header: check the proxy.",
    ),
    Refusal((401,), "", "OpenAI does not know this key.", f"It was mistyped, cut off or revoked. {_NEW_KEY}"),
    Refusal((403,), "", "OpenAI refuses this key the organization's usage and costs.", _NEW_KEY),
    Refusal(
        (404,),
        "",
        "OpenAI has no such address.",
        "Unset OPENAI_BASE_URL, or make it end in /v1 at a gateway that passes /organization through.",
    ),
    Refusal(
        (400,),
        r"start_time|end_time|too far|range",
        "OpenAI does not offer the days that were asked for.",
        "Check this machine's clock; shorten the history of the connection.",
    ),
    Refusal(
        (400,),
        r"group_by|group by",
        "OpenAI does not offer this organization the grouping by project, key and line item.",
        "Export the costs in OpenAI's console instead, and import the file.",
    ),
    Refusal(
        (429,),
        r"quota|billing|credit",
        "OpenAI says that the organization's quota or credit is used up.",
        "Pay or raise the limit at https://platform.openai.com/settings/organization/billing.",
    ),
    Refusal((407,), "", "The proxy on the way to OpenAI asks for a password.", "Set it in HTTPS_PROXY."),
    Refusal((500, 502, 503, 504), "", "OpenAI failed with status {status}.", _STATUS_PAGE),
)

#: Beginnings of keys that cannot read an organization's costs.
_OTHER_KEYS: Final = (
    ("sk-ant-", "This is a key of Anthropic, not of OpenAI."),
    ("sk-proj-", "This is the key of a project; costs belong to the organization."),
    ("sk-svcacct-", "This is the key of a project's service account; costs belong to the organization."),
    ("sess-", "This is a browser's session token, not a key."),
)


def refuse_other_keys(key: str) -> None:
    """Refuse what can be told to be no admin key by its shape alone.

    Raises:
        SourceError: it is a key for something else, or was copied with something around it.
    """
    refuse_key(key, _OTHER_KEYS, _NEW_KEY)
