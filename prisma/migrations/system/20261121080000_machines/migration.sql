-- Machines: processes on other hosts, each with an identity for one role.

CREATE TABLE `machine` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `active_name` VARCHAR(63) NULL,
  `role` VARCHAR(63) NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `join_hash` CHAR(64) NOT NULL,
  `join_until` DATETIME(3) NOT NULL,
  `join_key_hash` CHAR(64) NULL,
  `created_by` CHAR(36) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `joined_at` DATETIME(3) NULL,
  `expires_at` DATETIME(3) NULL,
  `revoked_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `machine_active_name_key` (`active_name`),
  UNIQUE INDEX `machine_join_key` (`join_hash`),
  INDEX `machine_revoked_idx` (`revoked_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `machine_token` (
  `hash` CHAR(64) NOT NULL,
  `machine_id` CHAR(36) NOT NULL,
  `expires_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`hash`),
  INDEX `machine_token_machine_idx` (`machine_id`, `expires_at`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- what goes when its parent goes
ALTER TABLE `machine_token` ADD CONSTRAINT `machine_token_machine_fk` FOREIGN KEY (`machine_id`) REFERENCES `machine` (`id`) ON DELETE CASCADE ON UPDATE CASCADE;
