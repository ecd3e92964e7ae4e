"""What knows a page: results asked for, drawn, told and judged."""
