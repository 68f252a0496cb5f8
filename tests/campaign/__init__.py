"""The tests at large counts: which, in what portions, and the record of what they found.

It lives among the tests because it runs them: the same ones as `make test`, with other seeds and more of them. Only the
random nights are made for it.
"""
