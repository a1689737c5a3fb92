"""Rules, each as a sentence, and the laws that hold for any history."""

import pytest

pytest.register_assert_rewrite("tests.spec")
