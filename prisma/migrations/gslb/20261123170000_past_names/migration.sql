-- Names that are deleted are found by their name, for what they answered at a past moment.

CREATE INDEX `gslb_fqdn_idx` ON `gslb`(`fqdn`);
