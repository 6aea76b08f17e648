-- Names in DNS: record sets and their owners, zones, DNS backends and their servers.
-- prisma/schema/dns.prisma says what each table and column is.

CREATE TABLE `dns_zone` (
  `name` VARCHAR(253) NOT NULL,
  `writer` CHAR(36) NOT NULL,
  `looked_to` VARCHAR(253) NULL,
  `backend_id` CHAR(36) NULL,
  `rules` TEXT NOT NULL DEFAULT '[]',
  `spec` TEXT NOT NULL DEFAULT '{}',
  `managed` BOOLEAN NOT NULL DEFAULT false,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`name`),
  UNIQUE INDEX `dns_zone_writer_key` (`writer`),
  INDEX `dns_zone_backend_idx` (`backend_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `dns_record_set` (
  `id` CHAR(36) NOT NULL,
  `zone` VARCHAR(253) NOT NULL,
  `name` VARCHAR(253) NOT NULL,
  `owner` VARCHAR(100) NOT NULL,
  `records` TEXT NOT NULL DEFAULT '[]',
  `ttl_seconds` INT UNSIGNED NOT NULL,
  `generation` INT UNSIGNED NOT NULL DEFAULT 0,
  `withdrawn` BOOLEAN NOT NULL DEFAULT false,
  `published_generation` INT UNSIGNED NOT NULL DEFAULT 0,
  `published_records` TEXT NOT NULL DEFAULT '[]',
  `published_at` DATETIME(3) NULL,
  `error_code` VARCHAR(32) NULL,
  `error` VARCHAR(1024) NULL,
  `failing_since` DATETIME(3) NULL,
  `follow_up_kind` VARCHAR(64) NULL,
  `follow_up_key` VARCHAR(128) NULL,
  `answered_generation` INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `dns_record_set_name_key` (`zone`, `name`),
  INDEX `dns_record_set_failing_idx` (`failing_since`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `dns_backend` (
  `id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `type` VARCHAR(16) NOT NULL,
  `spec` MEDIUMTEXT NOT NULL,
  `sealed_secret` BLOB NULL,
  `key_id` VARCHAR(32) NULL,
  `version` INT UNSIGNED NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `dns_backend_name_key` (`name`),
  INDEX `dns_backend_list_idx` (`name`, `id`),
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
  `version` INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  INDEX `dns_server_backend_idx` (`backend_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `dns_held_name` (
  `name` VARCHAR(253) NOT NULL,
  `reversed` VARCHAR(253) NOT NULL,
  `zone` VARCHAR(253) NOT NULL,
  `owner` VARCHAR(100) NOT NULL,
  `project_id` CHAR(36) NULL,
  `delegated` VARCHAR(253) NOT NULL DEFAULT '',
  `shared_with` TEXT NOT NULL DEFAULT '[]',
  `rests_until` DATETIME(3) NULL,
  PRIMARY KEY (`name`),
  INDEX `dns_held_name_reversed_idx` (`reversed`, `project_id`),
  INDEX `dns_held_name_resting_idx` (`rests_until`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `dns_name_lock` (
  `name` VARCHAR(253) NOT NULL,
  PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `dns_server_name` (
  `machine_id` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `held_until` DATETIME(3) NULL,
  `named` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`machine_id`),
  INDEX `dns_server_name_name_idx` (`name`),
  INDEX `dns_server_name_until_idx` (`held_until`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
