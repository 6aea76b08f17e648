-- What a cluster of the object storage has in its own database: registers, partitions, services and their counters.
-- prisma/schema/object-cluster.prisma says what each table and column is.

CREATE TABLE `store_partition` (
  `ring` SMALLINT UNSIGNED NOT NULL,
  `partition_number` SMALLINT UNSIGNED NOT NULL,
  `epoch` INT UNSIGNED NOT NULL,
  `is_held` BOOLEAN NOT NULL,
  `is_ready` BOOLEAN NOT NULL,
  `floor` BINARY(16) NOT NULL,
  `changes` BIGINT UNSIGNED NOT NULL,
  `log` BINARY(16) NOT NULL,
  PRIMARY KEY (`ring`, `partition_number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_register` (
  `ring` SMALLINT UNSIGNED NOT NULL,
  `scope` BINARY(16) NOT NULL,
  `name` VARBINARY(1100) NOT NULL,
  `partition_number` SMALLINT UNSIGNED NOT NULL,
  `kind` TINYINT UNSIGNED NOT NULL,
  `version` BINARY(16) NOT NULL,
  `promised` BINARY(16) NOT NULL,
  `change_number` BIGINT UNSIGNED NOT NULL,
  `head` MEDIUMTEXT NULL,
  `body` MEDIUMBLOB NULL,
  PRIMARY KEY (`ring`, `scope`, `name`),
  INDEX `store_register_change_idx` (`ring`, `partition_number`, `change_number`),
  INDEX `store_register_kind_idx` (`kind`, `ring`, `partition_number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_position` (
  `peer` SMALLINT UNSIGNED NOT NULL,
  `ring` SMALLINT UNSIGNED NOT NULL,
  `partition_number` SMALLINT UNSIGNED NOT NULL,
  `log` BINARY(16) NOT NULL,
  `position` BIGINT UNSIGNED NOT NULL,
  `kept_back` BIGINT UNSIGNED NULL,
  PRIMARY KEY (`peer`, `ring`, `partition_number`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_document` (
  `kind` VARCHAR(32) NOT NULL,
  `document_key` VARCHAR(128) NOT NULL,
  `generation` BIGINT UNSIGNED NOT NULL,
  `body` MEDIUMTEXT NOT NULL,
  `signature` VARCHAR(1024) NOT NULL,
  `arrival` BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (`kind`, `document_key`),
  INDEX `store_document_arrival_idx` (`arrival`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_counter` (
  `name` VARCHAR(32) NOT NULL,
  `number` BIGINT UNSIGNED NOT NULL,
  `history` CHAR(36) NULL,
  PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_service` (
  `role` VARCHAR(32) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `version` VARCHAR(63) NOT NULL,
  `is_ready` BOOLEAN NOT NULL,
  `message` VARCHAR(255) NULL,
  `heard_at` DATETIME(3) NOT NULL,
  `links` TEXT NULL,
  `url` VARCHAR(300) NULL,
  `take_overs` TEXT NULL,
  `draining` BOOLEAN NOT NULL DEFAULT false,
  `disk_used_bytes` BIGINT UNSIGNED NULL,
  `disk_total_bytes` BIGINT UNSIGNED NULL,
  `ring_ends` MEDIUMTEXT NULL,
  PRIMARY KEY (`role`, `name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `store_key_pair` (
  `name` VARCHAR(32) NOT NULL,
  `public_key` TEXT NOT NULL,
  `seal_key_id` VARCHAR(64) NOT NULL,
  `private_key_sealed` BLOB NOT NULL,
  PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `store_counter` (`name`, `number`) VALUES ('database', 0), ('documents', 0), ('flushes', 0), ('mark', 0);
