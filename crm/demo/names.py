"""First names and family names of the cultures that live where the shop delivers."""

from typing import NamedTuple


class Names(NamedTuple):
    women: list[str]
    men: list[str]
    family: list[str]
    family_of_women: list[str] = []  # where women's family names differ


def words(text: str) -> list[str]:
    """Split on blanks; an underscore stands for a blank inside a name."""
    return [word.replace("_", " ") for word in text.split()]


IRISH = Names(
    words(
        "Aoife Niamh Ciara Saoirse Róisín Orla Siobhán Gráinne Sinéad Maeve Clodagh Caoimhe Deirdre Bríd Eimear "
        "Fionnuala Emma Sarah Grace Kate Claire Laura Rachel Emily Aisling Catherine Mary Louise Áine Sorcha Ellen "
        "Helen Ruth Gemma"
    ),
    words(
        "Oisín Cillian Seán Conor Pádraig Eoin Darragh Fionn Ciarán Cormac Declan Diarmuid Tadhg Rónán Fergal Colm "
        "Liam Patrick James Michael Daniel David Mark Niall Brendan Kevin Brian Jack Barry Donal Shane Rory Killian "
        "Gavin"
    ),
    words(
        "Murphy Kelly O’Sullivan Walsh Byrne Ryan O’Connor O’Neill O’Reilly Doyle McCarthy Gallagher Doherty "
        "Kennedy Lynch Murray Quinn Moore McLaughlin Carroll Connolly Daly O’Connell Wilson Dunne Brennan Burke "
        "Collins Clarke Nolan Healy Hayes Farrell Foley Keane Mulcahy Ní_Bhriain Ó_Cléirigh Kavanagh Hennessy "
        "Molloy Fitzpatrick Sheridan Power Moran Whelan Cullen Keogh Griffin Flynn Tierney Hickey Roche Madden "
        "Buckley Egan Cahill Lacey"
    ),
)
ENGLISH = Names(
    words(
        "Charlotte Amelia Olivia Sophie Hannah Lucy Alice Jessica Harriet Eleanor Georgia Imogen Poppy Rebecca "
        "Victoria Rosie Florence Beatrice Megan Bethan Eilidh Isla Fiona Heather Joanne Karen Susan Julie Abigail "
        "Zoë Chloë Naomi"
    ),
    words(
        "Oliver George Harry Thomas William Henry Edward Benjamin Samuel Alexander Matthew Joseph Arthur Theo Rhys "
        "Gareth Callum Ewan Angus Duncan Stuart Graham Simon Andrew Peter Richard Adam Luke Nathan Toby Giles Hugo "
        "Philip"
    ),
    words(
        "Smith Jones Taylor Brown Williams Davies Evans Thomas Johnson Roberts Wright Thompson Walker White Edwards "
        "Hughes Green Hall Wood Harris Martin Jackson Clark Turner Hill Cooper Ward Morris King Watson Baker "
        "Harrison Morgan Fraser Campbell Stewart Robertson MacDonald Reid Sinclair Bennett Marsh Hartley Pemberton "
        "Ashworth Whitfield Fletcher Llewellyn Pritchard Bailey Palmer Chapman Webb Holmes Barker Dawson Sutton "
        "Lowe"
    ),
)
GERMAN = Names(
    words(
        "Anna Lena Katharina Sabine Ulrike Jana Marlene Johanna Franziska Heike Nadine Birgit Antje Greta Luisa "
        "Theresa Käthe Ursula Miriam Annika Friederike Svenja Bettina Cornelia Silke Judith Hanna Clara Melanie "
        "Vanessa"
    ),
    words(
        "Lukas Jonas Felix Maximilian Jürgen Stefan Matthias Thorsten Björn Sebastian Tobias Florian Günter Andreas "
        "Holger Moritz Jakob Benedikt Markus Christoph Dominik Philipp Uwe Rainer Jörg Till Konstantin Henrik Sven "
        "Malte"
    ),
    words(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter "
        "Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Krause Lehmann Köhler "
        "Maier Böhm Jäger Groß Weiß Sommer Winkler Vogt Brandt Lorenz Kühn Pohl Engel Bergmann Voß Thiele Sauer "
        "Arnold Ebert Lindner"
    ),
)
FRENCH = Names(
    words(
        "Camille Léa Chloé Manon Inès Élodie Mathilde Amélie Océane Margaux Aurélie Céline Sandrine Émilie Juliette "
        "Hélène Geneviève Noémie Zoé Marie-Claire Solène Anaïs Clémence Agathe Béatrice Delphine Nathalie Sylvie "
        "Laure"
    ),
    words(
        "Hugo Léo Théo Baptiste Antoine Étienne François Jérôme Benoît Guillaume Rémi Loïc Maël Mathieu Thierry "
        "Olivier Julien Romain Sébastien Jean-Luc Nicolas Cédric Aurélien Gaël Stéphane Yann Maxime Quentin Vincent "
        "Raphaël"
    ),
    words(
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefèvre Michel Garcia "
        "David Bertrand Roux Vincent Fournier Morel Girard André Mercier Dupont Lambert Bonnet François Martinez "
        "Legrand Garnier Faure Rousseau Blanc Guérin Boyer Chevalier Lemaire Gauthier Perrin Le_Gall Kervella "
        "Béraud Delaunay"
    ),
)
DUTCH = Names(
    words(
        "Sanne Fleur Lotte Anouk Femke Marloes Iris Eva Roos Noor Tess Maaike Ilse Wendy Esmée Marjolein Hanneke "
        "Saskia Floor Liesbeth Jolien Elke"
    ),
    words(
        "Daan Sem Bram Thijs Jeroen Maarten Wouter Sander Ruben Joost Pieter Koen Niels Jasper Bas Tijmen Hendrik "
        "Lars Gijs Floris Stijn Arne"
    ),
    words(
        "de_Jong Jansen de_Vries van_den_Berg van_Dijk Bakker Janssen Visser Smit Meijer de_Boer Mulder de_Groot "
        "Bos Vos Peters Hendriks van_Leeuwen Dekker Brouwer de_Wit Dijkstra Smits de_Graaf van_der_Meer Kok Jacobs "
        "Vermeulen Maes Claes Peeters Willems Goossens"
    ),
)
POLISH = Names(
    words(
        "Zofia Agnieszka Małgorzata Katarzyna Magdalena Joanna Ewa Kinga Dorota Aleksandra Karolina Paulina "
        "Weronika Natalia Beata Iwona Justyna Monika Żaneta Oliwia Hanna Łucja Grażyna"
    ),
    words(
        "Jakub Paweł Łukasz Michał Tomasz Krzysztof Wojciech Mateusz Grzegorz Stanisław Bartosz Maciej Rafał "
        "Sławomir Dawid Kamil Adrian Przemysław Zbigniew Szymon Filip Mikołaj"
    ),
    words(
        "Nowak Wójcik Kowalczyk Woźniak Mazur Krawczyk Kaczmarek Zając Król Wieczorek Wróbel Stępień Pawlak Dudek "
        "Adamczyk Sikora Baran Duda Szewczyk Pietrzak Marciniak Bąk Włodarczyk Kubiak Łukasik Gajda Kołodziej "
        "Błaszczyk"
    ),
)
SPANISH = Names(
    words(
        "Lucía María Carmen Ana Belén Inés Sofía Paula Elena Nuria Rocío Begoña Marta Pilar Raquel Irene Ainhoa "
        "Noelia Verónica Andrea Cristina Montserrat Laia Beatriz"
    ),
    words(
        "Javier Álvaro José Andrés Íñigo Sergio Adrián Rubén Óscar Jesús Ángel Diego Pablo Hugo Martín Joaquín Iván "
        "Víctor Raúl Gonzalo Xavier Jordi Nicolás Fernando"
    ),
    words(
        "García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Jiménez Ruiz Hernández Díaz Moreno "
        "Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ibáñez Peña Núñez Ortega "
        "Rubio Iglesias Serrano Etxeberria Puig Ferrer Castillo"
    ),
)
ITALIAN = Names(
    words(
        "Giulia Francesca Chiara Martina Alessia Elisa Valentina Federica Silvia Ilaria Beatrice Serena Ginevra "
        "Michela Paola Lucia Noemi Letizia Caterina Arianna"
    ),
    words(
        "Lorenzo Matteo Andrea Alessandro Davide Niccolò Giuseppe Marco Luca Simone Federico Riccardo Stefano "
        "Enrico Gabriele Emanuele Tommaso Giacomo Pietro Fabio"
    ),
    words(
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De_Luca Mancini "
        "Costa Giordano Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi D’Angelo Caruso Ferrara "
        "Galli Nicolò"
    ),
)
PORTUGUESE = Names(
    words(
        "Inês Beatriz Mariana Catarina Joana Sofia Letícia Conceição Rita Patrícia Fernanda Luísa Débora Teresa "
        "Filipa Carolina Márcia Larissa Vitória Glória"
    ),
    words(
        "João Tiago Gonçalo Rodrigo Nuno Rui Luís André Bruno Fábio Vasco Miguel Simão Otávio Thiago Caio Estêvão "
        "Renato Duarte Henrique"
    ),
    words(
        "Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Jesus Sousa Fernandes Gonçalves Gomes Lopes "
        "Marques Alves Almeida Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes Araújo Magalhães Simões "
        "Conceição"
    ),
)
SWEDISH = Names(
    words(
        "Elsa Astrid Ebba Linnéa Maja Åsa Märta Ingrid Frida Malin Johanna Karin Sigrid Tuva Agnes Hedvig Annika Lovisa"
    ),
    words(
        "Oskar Gustav Axel Björn Nils Göran Anders Håkan Elias Viktor Mattias Fredrik Jörgen Måns Åke Erik Simon Ludvig"
    ),
    words(
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson "
        "Lindström Bergström Sandberg Nyström Sjöberg Ekström Öberg Åkesson Söderlund Holmgren Wallin Nordin "
        "Blomqvist"
    ),
)
CZECH = Names(
    words("Tereza Eliška Kateřina Lucie Jana Petra Markéta Zuzana Veronika Hana Kristýna Barbora Šárka Adéla Radka"),
    words("Jan Jiří Tomáš Ondřej Lukáš Vojtěch Matěj Petr Martin Pavel Zdeněk Jaroslav Štěpán Radek Dušan Václav"),
    words(
        "Novák Svoboda Dvořák Černý Procházka Kučera Veselý Horák Němec Pokorný Král Růžička Beneš Fiala Sedláček Kříž"
    ),
    words(
        "Nováková Svobodová Dvořáková Černá Procházková Kučerová Veselá Horáková Němcová Pokorná Králová Růžičková "
        "Benešová Fialová Sedláčková Křížová"
    ),
)
INDIAN = Names(
    words("Priya Ananya Deepika Kavita Meera Nisha Pooja Lakshmi Shreya Aditi Divya Sunita Radhika Ishani Neha Anjali"),
    words(
        "Arjun Rohan Vikram Rahul Sanjay Aditya Karthik Nikhil Suresh Anil Pranav Ravi Siddharth Manish Varun Ashwin"
    ),
    words(
        "Sharma Patel Singh Kumar Gupta Reddy Nair Iyer Mehta Joshi Rao Desai Kapoor Menon Chatterjee Mukherjee "
        "Banerjee Thomas Varghese Pillai Bhatt Malhotra Kulkarni"
    ),
)
NIGERIAN = Names(
    words("Amara Ngozi Chioma Folake Adaeze Yewande Ifeoma Temitope Blessing Funmilayo Zainab Halima Ọmọtọla Chidinma"),
    words("Chinedu Emeka Tunde Oluwaseun Ikenna Babatunde Kelechi Femi Obinna Ayodele Ibrahim Musa Ṣẹgun Uche"),
    words("Okafor Adeyemi Okonkwo Balogun Eze Adebayo Nwosu Ogunleye Obi Afolabi Bello Chukwu Olawale Ibeh Adékúnlé"),
)
CHINESE = Names(
    words("Mei Li Xiuying Yan Jing Fang Min Ying Hui Ling Yuxin Ruoxi Xinyi Jiahui Wenjing"),
    words("Wei Hao Jun Lei Ming Tao Bo Yong Peng Zihan Haoran Jianhua Zhiqiang Guowei Chenxi"),
    words("Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Lü Zhu Guo Lin He Luo Deng"),
)
TURKISH = Names(
    words("Elif Zeynep Ayşe Büşra Gülşen Esra Derya Özlem Çiğdem Hatice Merve Selin Defne Ebru"),
    words("Mehmet Mustafa Emre Burak Çağlar Ömer Yusuf Kerem Oğuz Uğur Barış Deniz Cem Hakan"),
    words("Yılmaz Kaya Demir Çelik Şahin Yıldız Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Koç Kurt Güneş"),
)
