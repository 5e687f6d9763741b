"""What an operator asks after a deployment: `python -m operations summary|logs --stack NAME`."""
