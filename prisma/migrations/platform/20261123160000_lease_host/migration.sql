-- The data host of the process: a promotion ends the leases of the host that was fenced.
ALTER TABLE `lease` ADD COLUMN `host` VARCHAR(63) NULL;
