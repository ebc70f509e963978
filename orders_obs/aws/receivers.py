"""What an address that a secret holds may be: one that can answer SNS."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["why_not"]

# They take no message of SNS and cannot confirm a subscription; the address is a secret, and a subscription shows it to all who may list.
_CHATS = (
    "hooks.slack.com",
    "discord.com",
    "discordapp.com",
    "webhook.office.com",
    "logic.azure.com",
    "chat.googleapis.com",
)


def why_not(address: str) -> str:
    """Why SNS cannot send to an address; empty where it can. The address itself is not said."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "is no https address"
    if parts.scheme != "https" or not host:
        return "is no https address"
    if any(host == chat or host.endswith(f".{chat}") for chat in _CHATS):
        return "is that of a chat, which takes no message of SNS: the relay is for those"
    return ""
