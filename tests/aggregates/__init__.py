"""Rules, each as a sentence, and the laws that hold for any history."""
