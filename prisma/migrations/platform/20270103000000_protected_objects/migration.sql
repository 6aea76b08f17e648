-- Objects that can't be deleted before an explicit change. prisma/schema/platform.prisma says what each column is.

CREATE TABLE `protected_object` (
  `id` CHAR(36) NOT NULL,
  `subject_type` VARCHAR(64) NOT NULL,
  PRIMARY KEY (`id`, `subject_type`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
