package conf

// Check looks for what single lines can't show.
func Check(*Config) Problems { return nil }
