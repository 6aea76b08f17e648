-- Connections of machines, so that a copy of a machine is refused. prisma/schema/platform.prisma says what each column is.

CREATE TABLE `machine_link` (
  `machine_id` CHAR(36) NOT NULL,
  `owner` CHAR(36) NOT NULL,
  `process_id` VARCHAR(64) NULL,
  `link_id` CHAR(36) NULL,
  `address` VARCHAR(64) NULL,
  `copy_refused_at` DATETIME(3) NULL,
  PRIMARY KEY (`machine_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
