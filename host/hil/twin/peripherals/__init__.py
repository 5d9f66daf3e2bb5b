"""The peripherals of the STM32F746, one file each; registers and bits are named as in ST's RM0385."""
