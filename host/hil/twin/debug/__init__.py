"""The debug port of one twin: SW-DP, AHB-AP, core debug, breakpoints and watchpoints, in process."""
