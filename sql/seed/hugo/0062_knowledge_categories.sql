-- depends: 0061_functions
-- The categories that the document names; operators add their own.
INSERT INTO knowledge_categories (category, description)
VALUES
('principles', 'What a domain rests on'),
('techniques', 'How to put a principle to use'),
('examples', 'A principle or technique seen in a case');
