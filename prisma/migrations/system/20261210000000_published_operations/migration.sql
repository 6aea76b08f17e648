-- Operations that gateways execute by the hash of their text. prisma/schema/system.prisma says what each table and column is.

CREATE TABLE `published_operation` (
  `id` CHAR(36) NOT NULL,
  `hash` CHAR(64) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `operation_type` VARCHAR(16) NOT NULL,
  `text` MEDIUMTEXT NOT NULL,
  `text_bytes` INT UNSIGNED NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `published_operation_hash_key` (`hash`),
  INDEX `published_operation_name_idx` (`name`, `id`),
  INDEX `published_operation_bytes_idx` (`text_bytes`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `published_operation_set` (
  `id` TINYINT UNSIGNED NOT NULL,
  `revision` CHAR(36) NOT NULL,
  PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT INTO `published_operation_set` (`id`, `revision`) VALUES (1, UUID());
