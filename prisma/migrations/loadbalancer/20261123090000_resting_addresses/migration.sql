-- An address that was in DNS rests after its use.
ALTER TABLE `lb_address`
  ADD COLUMN `freed_at` DATETIME(3) NULL,
  ADD COLUMN `freed_by` CHAR(36) NULL;
