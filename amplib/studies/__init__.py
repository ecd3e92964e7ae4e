"""Which experiments the book makes; each study knows its seeds, presets and stored arrays."""
