"""`bliss-like listen`: print the events of a session, from any process, as they come."""
