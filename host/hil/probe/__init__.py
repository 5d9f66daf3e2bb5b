"""What a debug probe needs to know of the STM32F746."""
