"""`bliss.common.user_status_info`: short messages in the bottom line of the shell."""

from bliss_like.scanning.status_messages import remove_user_status_message, set_user_status_message, status_message

__all__ = ["remove_user_status_message", "set_user_status_message", "status_message"]
