"""How process variables are reached: one module a transport, imported when an address asks for it."""
