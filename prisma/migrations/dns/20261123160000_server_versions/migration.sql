-- Each change of a server's state is an event, in the order of its versions.

ALTER TABLE `dns_server` ADD COLUMN `version` INTEGER UNSIGNED NOT NULL DEFAULT 0;
