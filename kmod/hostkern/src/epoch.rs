//! epoch(9): sections, counted per thread, and callbacks after every section that was open has ended.
