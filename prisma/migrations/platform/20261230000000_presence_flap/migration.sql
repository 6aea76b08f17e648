-- Machines that came or went a short time ago. prisma/schema/platform.prisma says what the columns are.

CREATE TABLE `presence_flap` (
  `kind` VARCHAR(64) NOT NULL,
  `subject_id` CHAR(36) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `status` VARCHAR(32) NOT NULL,
  `version` INTEGER NOT NULL,
  `changes` INTEGER NOT NULL,
  `told` INTEGER NOT NULL,
  `since_at` DATETIME(3) NOT NULL,
  `last_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`kind`, `subject_id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
