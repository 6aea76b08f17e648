-- What each name takes of the message with which a name server gets its zone.

ALTER TABLE `gslb`
  ADD COLUMN `plan_bytes` INT UNSIGNED NOT NULL DEFAULT 0,
  ADD INDEX `gslb_zone_bytes_idx` (`zone`, `plan_bytes`);

UPDATE `gslb` SET `plan_bytes` = LENGTH(`plan`) WHERE `plan` IS NOT NULL;
