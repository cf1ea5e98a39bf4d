"""Every type that crosses a process. Pure data: nothing here does I/O."""
