import os
import sys

from .cli import main

code = main()
sys.stdout.flush()
sys.stderr.flush()
# Taking the largest world apart object by object would take seconds, and nothing is gained by it.
os._exit(code)
