-- A seal is a kind of its own, so that the index finds it.

UPDATE `store_register` SET `kind` = 3 WHERE `kind` = 0 AND `name` = '' AND `ring` > 0 AND `head` LIKE '{"state":"SEALED"%';
