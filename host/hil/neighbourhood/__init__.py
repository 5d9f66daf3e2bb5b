"""Neighbourhoods: one parameterised question to the system, asked over its parameters, and scored.

The method is that of Turbulence (S. Honarvar, M. van der Wilk, A. F. Donaldson, "Turbulence: Systematically
and Automatically Testing Instruction-Tuned Large Language Models for Code", 2023, arXiv 2312.14856): what is
interesting are not questions that always or never pass, but those of which nearly all instances do.
"""
