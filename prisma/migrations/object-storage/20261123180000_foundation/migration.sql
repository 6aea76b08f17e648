-- The centre's tables of object storage: clusters, options and their rings. The Prisma schema describes the same.

CREATE TABLE `object_federation` (
  `id` TINYINT UNSIGNED NOT NULL,
  `next_cluster` INT UNSIGNED NOT NULL DEFAULT 0,
  `next_option` INT UNSIGNED NOT NULL DEFAULT 1,
  `in_use` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `object_federation` (`id`) VALUES (1);

CREATE TABLE `object_cluster` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `zone` VARCHAR(63) NOT NULL,
  `weight` INT UNSIGNED NOT NULL,
  `site` VARCHAR(255) NOT NULL,
  `state` VARCHAR(16) NOT NULL,
  `peer_urls` TEXT NOT NULL,
  `controller_urls` TEXT NOT NULL,
  `s3_urls` TEXT NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_cluster_number_key` (`number`),
  UNIQUE INDEX `object_cluster_live_name_key` (`live_name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_option` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `live_name` VARCHAR(63) NULL,
  `replicas` TINYINT UNSIGNED NOT NULL,
  `cluster_ids` TEXT NOT NULL,
  `nearest_reads` BOOLEAN NOT NULL,
  `is_default` BOOLEAN NOT NULL,
  `version` INT NOT NULL DEFAULT 1,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `deleted_at` DATETIME(3) NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_option_number_key` (`number`),
  UNIQUE INDEX `object_option_live_name_key` (`live_name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `object_ring` (
  `id` CHAR(36) NOT NULL,
  `number` INT UNSIGNED NOT NULL,
  `epoch` INT UNSIGNED NOT NULL,
  `replicas` TINYINT UNSIGNED NOT NULL,
  `members` MEDIUMTEXT NOT NULL,
  `clusters` BLOB NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `object_ring_number_key` (`number`, `epoch`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
