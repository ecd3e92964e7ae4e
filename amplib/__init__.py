"""How many events is a generated sample worth? Models and metrics of the Amplify book."""
