def is_sending(): return False
