# The names people type first; ./dev does the work. Arguments: make lab ARGS="-k amd"
.PHONY: test lint lab
test lint lab:
	@./dev $@ $(ARGS)
