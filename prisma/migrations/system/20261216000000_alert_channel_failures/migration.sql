-- What became of the attempts of an alert channel. prisma/schema/system.prisma says what each column is.

ALTER TABLE `alert_channel`
  ADD COLUMN `failing_since` DATETIME(3) NULL,
  ADD COLUMN `given_up` INT UNSIGNED NOT NULL DEFAULT 0;
