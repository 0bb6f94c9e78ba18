"""Test vectors that need a module of their own: `make_` modules use our code, `verify_` modules none of it."""
