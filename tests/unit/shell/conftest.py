"""Sessions on real controllers, publishing to a store in memory."""

from tests.unit.session.conftest import cache_of_the_run, make_session, tree

__all__ = ["cache_of_the_run", "make_session", "tree"]
