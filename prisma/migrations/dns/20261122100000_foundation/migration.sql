-- The first tables of dns. The Prisma schema describes the same.

CREATE TABLE `dns_zone` (
  `name` VARCHAR(253) NOT NULL,
  `writer` CHAR(36) NOT NULL,
  `looked_to` VARCHAR(253) NULL,
  PRIMARY KEY (`name`)
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
  PRIMARY KEY (`id`),
  UNIQUE INDEX `dns_record_set_name_key` (`zone`, `name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
