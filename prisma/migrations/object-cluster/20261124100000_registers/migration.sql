-- The tables of one cluster of object storage: its replica of the registers, the partitions that it holds, how far it has followed other
-- clusters, and the documents that the centre has signed. The Prisma schema describes the same.

-- The row of a partition is locked by whoever changes a register of it: its changes have an order.
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
  PRIMARY KEY (`name`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `store_counter` (`name`, `number`) VALUES ('documents', 0), ('flushes', 0);
