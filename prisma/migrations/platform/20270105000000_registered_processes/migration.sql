-- What runs in each process. prisma/schema/platform.prisma says what each column is.

ALTER TABLE `process_keys`
  ADD COLUMN `version` VARCHAR(64) NULL,
  ADD COLUMN `commit_hash` VARCHAR(64) NULL,
  ADD COLUMN `roles` VARCHAR(255) NULL,
  ADD COLUMN `host` VARCHAR(255) NULL,
  ADD COLUMN `newest_migration` VARCHAR(255) NULL;
