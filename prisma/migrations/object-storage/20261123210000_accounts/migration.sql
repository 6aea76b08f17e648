-- Accounts of projects, and their access keys.

CREATE TABLE `object_account` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_account_project_key` (`project_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_access_key` (
  `id` CHAR(36) NOT NULL,
  `project_id` CHAR(36) NOT NULL,
  `account_id` CHAR(36) NOT NULL,
  `access_key_id` VARCHAR(32) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `can_write` BOOLEAN NOT NULL,
  `sealed_secret` VARBINARY(1024) NULL,
  `key_id` VARCHAR(32) NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `revoked_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_access_key_key` (`access_key_id`),
  INDEX `object_access_key_project_idx` (`project_id`, `id`),
  INDEX `object_access_key_revoked_idx` (`revoked_at`, `id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
