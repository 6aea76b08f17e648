-- DNS backends, what was last seen of each of their servers, and zones that an administrator gives to a backend.

CREATE TABLE `dns_backend` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `type` VARCHAR(16) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `sealed_secret` BLOB NULL,
  `key_id` VARCHAR(32) NULL,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `dns_backend_name_key` (`name`),
  INDEX `dns_backend_key_idx` (`key_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `dns_server` (
  `id` CHAR(36) NOT NULL,
  `backend_id` CHAR(36) NULL,
  `place` VARCHAR(300) NOT NULL,
  `state` VARCHAR(16) NOT NULL,
  `epoch` INT UNSIGNED NOT NULL DEFAULT 0,
  `seen_at` DATETIME(3) NULL,
  `failing_since` DATETIME(3) NULL,
  `error_code` VARCHAR(32) NULL,
  `error` VARCHAR(1024) NULL,
  PRIMARY KEY (`id`),
  INDEX `dns_server_backend_idx` (`backend_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

ALTER TABLE `dns_zone`
  ADD COLUMN `backend_id` CHAR(36) NULL,
  ADD COLUMN `rules` TEXT NOT NULL DEFAULT '[]',
  ADD COLUMN `spec` TEXT NOT NULL DEFAULT '{}',
  ADD COLUMN `managed` BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN `version` INT UNSIGNED NOT NULL DEFAULT 1,
  ADD COLUMN `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  ADD UNIQUE INDEX `dns_zone_writer_key` (`writer`),
  ADD INDEX `dns_zone_backend_idx` (`backend_id`);

ALTER TABLE `dns_record_set`
  ADD COLUMN `answered_generation` INT UNSIGNED NOT NULL DEFAULT 0;

UPDATE `dns_record_set` SET `answered_generation` = `published_generation`;
