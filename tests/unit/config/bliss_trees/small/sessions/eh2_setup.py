print("eh2")
