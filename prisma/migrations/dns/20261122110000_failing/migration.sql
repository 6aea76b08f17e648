-- Names that are not published are found at once.

CREATE INDEX `dns_record_set_failing_idx` ON `dns_record_set` (`failing_since`);
