"""AgileNN's extractor as one step: two separable convolutions row by row, down to symbols and sums.

What CMSIS-NN spends its cycles on here is not multiplying: with 1 to 24 channels it is unpacking,
requantising and writing maps that the next layer unpacks again. A step of this family keeps three rows
of the only map it needs, as 16-bit values by channel, and never writes the others.
"""
