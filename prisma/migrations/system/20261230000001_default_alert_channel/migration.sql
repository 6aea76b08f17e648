-- The channel of rules without channels of their own. prisma/schema/system.prisma says what the column is.

ALTER TABLE `alert_channel`
  ADD COLUMN `default_scope` CHAR(36) NULL AFTER `scope`,
  ADD UNIQUE INDEX `alert_channel_default_key` (`default_scope`);
