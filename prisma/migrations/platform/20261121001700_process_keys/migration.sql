-- Which keys each process knows, and which ones everyone must know: a key becomes active only when all know it.

CREATE TABLE `process_keys` (
  `owner` CHAR(36) NOT NULL,
  `name` VARCHAR(63) NOT NULL,
  `keys` LONGTEXT NOT NULL,
  `started_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`owner`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE `active_key` (
  `file` VARCHAR(32) NOT NULL,
  `key_id` VARCHAR(32) NOT NULL,
  `at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`file`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
